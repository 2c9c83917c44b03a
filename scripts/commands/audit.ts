import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Command, Option } from 'commander'
import { openArchiveToRead } from '../../index/archive/open-archive.js'
import { AuditLog } from '../../index/audit/audit-log.js'
import { exportAudit, verifyExport } from '../../index/audit/export-audit.js'
import { listAudit, type AuditRecord } from '../../index/audit/list-audit.js'
import { parsePublicKey } from '../../index/audit/signatures.js'
import { systemActor } from '../../index/audit/system-actor.js'
import { verifyLog } from '../../index/audit/verify-log.js'
import { hasAuditDatabase } from '../../index/store/audit/audit-database.js'
import { readArchiveId } from '../../index/store/meta.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { openPrivateFile } from '../../pipeline/common/private-files.js'
import { closeSync, existsSync, writeSync } from 'node:fs'
import { archiveOption, jsonOption, numberWithin } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../cli/output.js'

interface CommonOptions {
  readonly archive: string
  readonly json: boolean
}

interface ListOptions extends CommonOptions {
  readonly limit: number
  readonly after?: number
  readonly actor?: string
  readonly action?: string
  readonly since?: string
  readonly until?: string
}

const afterOption = (description: string) =>
  new Option('--after <seq>', description).argParser(numberWithin(0, 1e15, 'integer'))

const listCommand = new Command('list')
  .description('List the entries of the audit log, the newest first.')
  .addOption(archiveOption())
  .addOption(
    new Option('--limit <n>', 'the largest number of entries')
      .default(50)
      .argParser(numberWithin(1, 100_000, 'integer')),
  )
  .addOption(afterOption('begin after this entry: the next page'))
  .addOption(new Option('--actor <id>', 'only what this user did'))
  .addOption(new Option('--action <action>', 'only this action, for example search or export'))
  .addOption(new Option('--since <date>', 'only entries of this time or later').argParser(isoOf))
  .addOption(new Option('--until <date>', 'only entries before this time').argParser(isoOf))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {entries: [{seq, at, actor: {kind, id, name}, action, purpose?, caseReference?, approvalId?, outcome, details,
parts: [{state, subject?, content?}], hash}], next?}. state is readable, erased (its subject was forgotten) or unreadable (damaged).`,
  )
  .action(async ({ archive, json, limit, after, actor, ...filter }: ListOptions) => {
    await withLog(archive, (log) => {
      const page = listAudit(log, { ...filter, limit, after, actor })
      if (json) printJson(page)
      else for (const entry of page.entries) print(lineOf(entry))
      if (!json && page.next !== undefined) note(`more: --after ${page.next}`)
    })
    process.exitCode = exitCodes.ok
  })

function lineOf({ seq, at, actor, action, outcome, purpose, caseReference, parts }: AuditRecord): string {
  const labels = parts.map((part) => (part.state === 'readable' ? part.subject.label : part.state))
  return oneLine(
    [
      `${seq}  ${at}  ${actor.name}  ${action}${outcome === 'done' ? '' : ` (${outcome})`}`,
      ...(labels.length === 0 ? [] : [labels.slice(0, 5).join(', ') + (labels.length > 5 ? ', …' : '')]),
      ...(purpose === undefined ? [] : [`purpose: ${purpose}`]),
      ...(caseReference === undefined ? [] : [`case: ${caseReference}`]),
    ].join('  '),
  )
}

const verifyCommand = new Command('verify')
  .description('Check that no entry of the audit log was changed, added, moved or removed.')
  .argument('[export]', 'check this exported file instead, without its archive')
  .addOption(archiveOption())
  .addOption(new Option('--key <file>', 'of an export: the public key, as "cameo receipt key" prints it'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {intact, rows, hash, problems: [{kind, seq?, message}]}; of an export {intact, rows, archiveId, at}.
Exit code: 0 intact; 1 it was tampered with; 2 it could not be checked.`,
  )
  .action(async (file: string | undefined, options: CommonOptions & { readonly key?: string }) => {
    process.exitCode = await (file === undefined ? verifyOwn(options) : verifyFile(file, options))
  })

async function verifyOwn({ archive, json }: CommonOptions): Promise<number> {
  return withLog(archive, async (log) => {
    const { isIntact, ...rest } = await verifyLog(log)
    if (json) printJson({ intact: isIntact, ...rest })
    else {
      for (const { message } of rest.problems) print(message)
      print(
        isIntact
          ? `the audit log is intact: ${counted(rest.rows, 'entry', 'entries')}, the last has the hash ${rest.hash}`
          : 'the audit log was tampered with',
      )
    }
    return isIntact ? exitCodes.ok : exitCodes.someFailed
  })
}

async function verifyFile(
  file: string,
  { json, key }: { readonly json: boolean; readonly key?: string },
): Promise<number> {
  if (key === undefined)
    throw new CameoError('USAGE', 'an export is checked with the public key of its archive: --key FILE')
  const publicKey = parsePublicKey(await readFile(key, 'utf8'))
  try {
    const checked = await verifyExport(createInterface({ input: createReadStream(file) }), publicKey)
    if (json) printJson({ intact: true, ...checked })
    else print(`the export is intact: ${counted(checked.rows, 'entry', 'entries')}, made ${checked.at}`)
    return exitCodes.ok
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'AUDIT_EXPORT_INVALID') throw error
    if (json) printJson({ intact: false, problems: [{ message: error.message }] })
    else print(error.message)
    return exitCodes.someFailed
  }
}

interface ExportOptions {
  readonly archive: string
  readonly out?: string
  readonly after?: number
  readonly overwrite: boolean
}

const exportCommand = new Command('export')
  .description('Write the audit log as lines of JSON, with hashes and a signed end.')
  .addOption(archiveOption())
  .addOption(new Option('-o, --out <file>', 'file to write, readable only by you; default: standard output'))
  .addOption(new Option('--overwrite', 'replace a file that is there already').default(false))
  .addOption(afterOption('only entries after this one'))
  .addHelpText(
    'after',
    `
Whoever keeps such a file elsewhere can prove later that the log was not exchanged. "cameo audit verify FILE --key KEY" checks it.
What entries say about forgotten people is erased in it.`,
  )
  .action(async ({ archive, out, after, overwrite }: ExportOptions) => {
    if (out !== undefined && !overwrite && existsSync(out))
      throw new CameoError('USAGE', `the file ${out} is there already: --overwrite replaces it`)
    const archiveId = idOf(archive)
    await withLog(archive, async (log) => {
      const handle = out === undefined ? undefined : openPrivateFile(out)
      try {
        for await (const line of exportAudit(log, { archiveId, after }))
          if (handle === undefined) process.stdout.write(line)
          else writeSync(handle, line)
      } finally {
        if (handle !== undefined) closeSync(handle)
      }
      await log.append({ actor: systemActor(), action: 'audit-export', outcome: 'done', details: { after } })
    })
    process.exitCode = exitCodes.ok
  })

export const auditCommand = new Command('audit')
  .description(
    'Look at the log of who searched for whom, saw, exported, named and erased; check and export it.',
  )
  .addCommand(listCommand)
  .addCommand(verifyCommand)
  .addCommand(exportCommand)

function idOf(dir: string): string {
  const archive = openArchiveToRead(dir, note)
  try {
    return readArchiveId(archive.database)
  } finally {
    archive.close()
  }
}

async function withLog<Result>(
  archive: string,
  work: (log: AuditLog) => Result | Promise<Result>,
): Promise<Result> {
  if (!hasAuditDatabase(archive)) {
    if (!existsSync(archive)) throw new CameoError('ARCHIVE_MISSING', `there is no archive in ${archive}`)
  }
  const log = AuditLog.open(archive)
  try {
    return await work(log)
  } finally {
    log.close()
  }
}

function isoOf(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new CameoError('USAGE', `"${text}" is not a date`)
  return date.toISOString()
}
