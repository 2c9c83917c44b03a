import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import type { DocsHome } from './home.js'
import { canRunHere, runHere } from '../run-here.js'
import { commandsOf, wordsOf, type Block, type Document } from './markdown.js'

const running = new Set<ChildProcess>()
// A worker that a failed test leaves behind would keep its file's process alive.
after(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** What only a shell understands: pipes, variables, patterns, several commands. */
const needsShell = /[|&;<>()$`\\*?[\]{}#!]/

/** The arguments of a plain `npx cameo`, which needs no process of its own; undefined of any other command. */
function argumentsOf(command: string, home: string): readonly string[] | undefined {
  if (!command.startsWith('npx cameo ') || needsShell.test(command)) return undefined
  const [, , ...words] = wordsOf(command)
  return words.map((word) => word.replace(/^~(?=\/|$)/, home))
}

interface Started {
  readonly command: string
  readonly child: ChildProcess
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
  /** Resolves with the first output. */
  readonly printed: Promise<unknown>
  readonly said: () => string
}

/** Runs the commands of one document, block by block, in its own home folder; see docs/development.md. */
export class BlockRunner {
  readonly #home: DocsHome
  readonly #workers: Started[] = []

  constructor(home: DocsHome) {
    this.#home = home
  }

  /** Writes the files that the document shows. */
  writeFiles({ blocks }: Document): void {
    for (const { mark, lines } of blocks)
      if (mark?.kind === 'file') writeFileSync(join(this.#home.cwd, mark.name), `${lines.join('\n')}\n`)
  }

  async run(block: Block): Promise<void> {
    const commands = commandsOf(block)
    assert.ok(commands.length > 0, 'a block of commands has one')
    for (const command of commands) await this.runCommand(command)
  }

  /** @throws if the command does not end with exit code 0 */
  async runCommand(written: string): Promise<void> {
    // Scripts of this repository take long. docs.test.ts and docs-commands.test.ts check their names and
    // options.
    if (/^npm (test|run [\w:]+)( |$)/.test(written)) return
    const command = written
      .replaceAll('/srv/clips', join(this.#home.home, 'archive'))
      // The test already has a broker from that script.
      .replace(/^scripts\/kafka\.sh (start|stop)$/, 'scripts/kafka.sh status')
      // Another document may have a server at the same time.
      .replace(/^npx cameo serve\b.*$/, '$& --port 0')
    const args = argumentsOf(command, this.#home.home)
    const { cwd, settings } = this.#home
    if (args !== undefined && canRunHere(args, settings)) {
      const { code, stdout, stderr } = await runHere(args, settings, cwd)
      assert.equal(code, 0, `${written}\n${stdout}${stderr}`)
      return
    }
    const started = this.#start(command)
    if (/^npx cameo worker /.test(command)) {
      this.#workers.push(started)
      return
    }
    if (/^npx cameo serve\b/.test(command)) {
      await Promise.race([started.ended, started.printed])
      started.child.kill('SIGTERM')
    }
    const code = await started.ended
    assert.equal(code, 0, `${written}\n${started.said()}`)
  }

  /** Stops commands that run forever. @throws if a worker has failed */
  async stopWorkers(): Promise<void> {
    for (const { child } of this.#workers) child.kill('SIGTERM')
    for (const { command, ended, said } of this.#workers) {
      const code = await ended
      assert.equal(code, 0, `${command}\n${said()}`)
    }
  }

  #start(command: string): Started {
    const { cwd, environment } = this.#home
    // exec: signals reach the command itself.
    const script = command.startsWith('npx ') ? `exec ${command}` : command
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      ...{ cwd, env: environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        running.delete(child)
        resolve(code)
      })
    })
    const printed = new Promise((resolve) => child.stdout.once('data', resolve))
    return { command, child, ended, printed, said: () => said }
  }
}
