import { chmodSync, writeFileSync } from 'node:fs'

/**
 * A line of shell that waits while a condition holds and the parent process lives. It prints output, so that
 * it does not count as stuck.
 */
export const waitWhile = (condition: string) =>
  `while ${condition} && kill -0 $PPID 2>/dev/null; do echo waiting >&2; sleep 0.05; done`

/**
 * Writes an ffmpeg that first, or only, does something else if its arguments match.
 * @param cases lines of a shell's `case`, for example `*film*) sleep 1 ;;`; `$PPID` is the process that
 * started it
 * @returns the path, for FFMPEG_PATH
 */
export function fakeFfmpeg(path: string, ...cases: readonly string[]): string {
  writeFileSync(path, ['#!/bin/sh', 'case "$*" in', ...cases, 'esac', 'exec ffmpeg "$@"', ''].join('\n'))
  chmodSync(path, 0o755)
  return path
}
