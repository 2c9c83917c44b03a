import { createInterface } from 'node:readline/promises'
import { visibleLines } from '../../pipeline/common/visible-text.js'

/** True if a person is at a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Asks a question on standard error. True if the answer is yes; everything else is no. */
export async function agrees(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(visibleLines(`${question} [y/N] `))).trim())
  } finally {
    terminal.close()
  }
}
