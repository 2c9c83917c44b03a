import { chmodSync, writeFileSync } from 'node:fs'

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
