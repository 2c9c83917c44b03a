import { Command, Option } from 'commander'
import { formatDevice, type DeviceChoice } from '../../pipeline/models/device.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { roleNames, type Role } from '../../index/access/roles.js'
import type { OidcOptions } from '../../workers/http/door/oidc.js'
import { serve, type RunningServer } from '../../workers/http/serve.js'
import { endProcessSoon } from '../../workers/kafka/broker/client.js'
import { roleOf } from './access/use-access.js'
import { createLog } from '../../workers/service/log.js'
import {
  archiveOption,
  defaultThreads,
  deviceOption,
  jsonOption,
  listOf,
  numberWithin,
} from '../cli/options.js'
import { readConnection } from '../cli/kafka-connection.js'
import { kafkaHelp } from '../cli/kafka-options.js'
import { exitCodes, note, print, printJson } from '../cli/output.js'
import { untilStopped } from '../cli/until-stopped.js'

interface OidcCommandOptions {
  readonly oidcIssuer?: string
  readonly oidcClientId?: string
  readonly oidcSecretFile?: string
  readonly oidcLabel?: string
  readonly oidcRoleClaim?: string
  readonly oidcRole?: readonly Role[]
}

interface ServeCommandOptions extends OidcCommandOptions {
  readonly archive: string
  readonly host: string
  readonly port: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly trustProxy?: readonly string[]
  readonly ingestRoot?: readonly string[]
  readonly brokers?: string
  readonly device: DeviceChoice
  readonly threads: number
  readonly json: boolean
}

export const serveCommand = new Command('serve')
  .description('Serve the archive: a page for people and an API for programs. Runs until it is stopped.')
  .addOption(archiveOption())
  .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1'))
  .addOption(
    new Option('-p, --port <number>', 'port to listen on; 0 chooses a free one')
      .argParser(numberWithin(0, 65_535, 'integer'))
      .default(8080),
  )
  .addOption(new Option('--tls-cert <file>', 'certificate with its chain, PEM'))
  .addOption(new Option('--tls-key <file>', 'key of the certificate, PEM'))
  .addOption(
    new Option(
      '--trust-proxy <address>',
      'address or network of a proxy that ends TLS in front of the server; may be repeated',
    ).argParser(listOf((text) => text)),
  )
  .addOption(
    new Option('--oidc-issuer <url>', 'users can also sign in with accounts of this OpenID Connect provider'),
  )
  .addOption(new Option('--oidc-client-id <id>', 'what the provider calls this server'))
  .addOption(new Option('--oidc-secret-file <file>', 'file whose first line is the secret of this client'))
  .addOption(new Option('--oidc-label <text>', 'what the page calls the provider (default: its host)'))
  .addOption(
    new Option(
      '--oidc-role-claim <name>',
      'claim that lists the roles of a user (default: administrators give roles)',
    ),
  )
  .addOption(
    new Option('--oidc-role <role>', 'role of a user who signs in there for the first time; may be repeated')
      .choices(roleNames)
      .argParser(listOf(roleOf)),
  )
  .addOption(
    new Option(
      '--ingest-root <folder>',
      'folder from which users may ingest clips, in addition to folders that were ingested before; may be repeated',
    ).argParser(listOf((text) => text)),
  )
  .addOption(
    new Option(
      '-b, --brokers <list>',
      'host:port of Kafka brokers, separated by commas: their workers process the clips that users ingest',
    ).env('KAFKA_BROKERS'),
  )
  .addOption(deviceOption())
  .addOption(
    new Option('--threads <n>', 'segments that an ingest processes at the same time')
      .argParser(numberWithin(1, 1024, 'integer'))
      .default(defaultThreads),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Prints the address of the page. If there is no administrator yet, it also prints a link that makes one. The link works once, for an
hour; the next start prints another.
The server listens on this machine alone. On another address it needs --tls-cert and --tls-key, or --trust-proxy.
Users sign in with a password; programs use an API key. "cameo access --help" says how to manage both from here. Whoever can run
commands on this machine as the owner of the archive can do everything.
With --oidc-issuer, register https://YOUR-SERVER/api/v1/oidc/callback with the provider. Somebody who signs in there for the first
time becomes a new user without any role, unless --oidc-role or --oidc-role-claim gives one.
With --brokers, the server puts clips into the queue as "cameo submit" does. The index worker must write to the same archive.
${kafkaHelp.trim()}
Logs are lines of JSON on standard error; CAMEO_LOG_LEVEL sets the level. SIGTERM stops the server after the requests that run.
With --json: {url, setup?: {url, expiresAt}}, on one line, when it listens.
Exit code: 0 it was stopped; 2 it could not start.`,
  )
  .action(async (options: ServeCommandOptions) => {
    await untilStopped(async (signal) => {
      const server = await start(options)
      tell(server, options)
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await server.close()
    })
    if (options.brokers !== undefined) endProcessSoon()
    process.exitCode = exitCodes.ok
  })

function start({
  tlsCert,
  tlsKey,
  trustProxy,
  ingestRoot,
  brokers,
  device,
  ...options
}: ServeCommandOptions): Promise<RunningServer> {
  const oidc = oidcOf(options)
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new CameoError('USAGE', 'a certificate needs its key, and a key its certificate')
  return serve({
    ...options,
    device: formatDevice(device),
    log: createLog({ service: 'serve' }),
    ...(tlsCert === undefined || tlsKey === undefined ? {} : { tls: { certFile: tlsCert, keyFile: tlsKey } }),
    ...(trustProxy === undefined ? {} : { trustedProxies: trustProxy }),
    ...(oidc === undefined ? {} : { oidc }),
    ...(ingestRoot === undefined ? {} : { ingestRoots: ingestRoot }),
    ...(brokers === undefined ? {} : { kafka: readConnection(brokers) }),
  })
}

function oidcOf(options: OidcCommandOptions): OidcOptions | undefined {
  const {
    oidcIssuer: issuer,
    oidcClientId: clientId,
    oidcSecretFile,
    oidcLabel,
    oidcRoleClaim,
    oidcRole,
  } = options
  if (issuer === undefined && clientId === undefined) {
    if ([oidcSecretFile, oidcLabel, oidcRoleClaim, oidcRole].some((value) => value !== undefined))
      throw new CameoError('USAGE', 'signing in with accounts elsewhere needs --oidc-issuer')
    return undefined
  }
  if (issuer === undefined || clientId === undefined)
    throw new CameoError('USAGE', '--oidc-issuer needs --oidc-client-id, and the other way round')
  return {
    ...{ issuer, clientId },
    ...(oidcSecretFile === undefined ? {} : { secretFile: oidcSecretFile }),
    ...(oidcLabel === undefined ? {} : { label: oidcLabel }),
    ...(oidcRoleClaim === undefined ? {} : { roleClaim: oidcRoleClaim }),
    ...(oidcRole === undefined ? {} : { newUserRoles: oidcRole }),
  }
}

function tell({ url, setup }: RunningServer, { json, archive }: ServeCommandOptions): void {
  if (json) {
    printJson({ url, ...(setup === undefined ? {} : { setup }) })
    return
  }
  print(`serving ${archive} at ${url}`)
  if (setup !== undefined) {
    print(`make the first administrator here: ${setup.url}`)
    note(`(the link works once, until ${setup.expiresAt.toLocaleTimeString()})`)
  }
}
