import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { openAccess, type Access } from '../../index/access/access.js'
import { temporaryDir } from './cameo.js'

/** A password that is allowed for every user of these tests. */
export const goodPassword = 'correct horse battery'

/** Empty users and settings with a clock that stands still until it is moved. */
export interface TestAccess extends Access {
  readonly dir: string
  /** Moves the clock, ms. */
  pass(ms: number): void
}

const base = temporaryDir()

export function testAccess(): TestAccess {
  const dir = mkdtempSync(join(base, 'archive-'))
  let nowMs = Date.parse('2030-01-01T00:00:00Z')
  const access = openAccess(dir, { create: true, now: () => nowMs })
  return { ...access, dir, pass: (ms) => void (nowMs += ms) }
}

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs
