import { execFileSync } from 'node:child_process'

/**
 * A launcher under which file permissions count: root is freed of the two capabilities that let it pass them by.
 * Nothing for other users, for whom they count anyway.
 */
export function permissionsCount(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  return ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
}

/** A launcher under which no file can grow beyond so much: a full disk, as SQLite and Node meet it. */
export function filesUpTo(bytes: number): readonly string[] {
  return ['bash', '-c', `ulimit -f ${Math.ceil(bytes / 1024)}; exec "$@"`, 'limited']
}

/** True where this user may mount a file system of its own. */
export function canMount(): boolean {
  try {
    execFileSync('unshare', [...ownMounts, 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', '/mnt'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

/** Options of `unshare` for a namespace of mounts that ends with its processes. */
export const ownMounts = ['--user', '--map-root-user', '--mount'] as const
