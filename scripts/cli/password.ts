import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { CameoError } from '../../pipeline/common/errors.js'
import { canAsk } from './ask.js'
import { note } from './output.js'

/**
 * A new password: typed twice at a terminal without an echo, else the first line of standard input. It is never an
 * argument, because other users of the machine can see those.
 * @throws USAGE if there is none, or the two differ; INTERRUPTED
 */
export async function readNewPassword(userName: string): Promise<string> {
  if (!canAsk()) return firstLine(await textOf(process.stdin))
  const password = await askUnseen(`new password of ${userName}: `)
  if ((await askUnseen('the same again: ')) !== password)
    throw new CameoError('USAGE', 'the two passwords differ')
  return password
}

function firstLine(text: string): string {
  const [line = ''] = text.split(/\r?\n/)
  if (line === '') throw new CameoError('USAGE', 'a password is needed on standard input')
  return line
}

/** Asks on standard error. What is typed is not shown. */
async function askUnseen(question: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: unseen, terminal: true })
  const stop = new AbortController()
  terminal.on('SIGINT', () => stop.abort())
  process.stderr.write(question)
  try {
    return await terminal.question('', { signal: stop.signal })
  } catch (cause) {
    throw new CameoError('INTERRUPTED', 'stopped before the password was typed', { cause })
  } finally {
    terminal.close()
    note('')
  }
}
