import { chmodSync, writeFileSync } from 'node:fs'

/** A line of a shell that waits, audibly, while a condition holds and somebody waits for it. */
export const waitWhile = (condition: string) =>
  `while ${condition} && kill -0 $PPID 2>/dev/null; do echo waiting >&2; sleep 0.05; done`

/**
 * Writes an ffmpeg that does something else first, or instead, where its arguments match.
 * @param cases lines of a shell's `case`, such as `*film*) sleep 1 ;;`; `$PPID` is who started it
 * @returns the path, for FFMPEG_PATH
 */
export function fakeFfmpeg(path: string, ...cases: readonly string[]): string {
  writeFileSync(path, ['#!/bin/sh', 'case "$*" in', ...cases, 'esac', 'exec ffmpeg "$@"', ''].join('\n'))
  chmodSync(path, 0o755)
  return path
}
