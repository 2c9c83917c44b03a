import { execFileSync } from 'node:child_process'

/**
 * A launcher that makes file permissions count: it removes the two capabilities by which root bypasses them.
 * Empty for other users, for whom permissions count anyway.
 */
export function permissionsCount(): readonly string[] {
  if (process.getuid?.() !== 0) return []
  return ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
}

/** A launcher that limits the size of files, which SQLite and Node meet as a full disk. */
export function filesUpTo(bytes: number): readonly string[] {
  return ['bash', '-c', `ulimit -f ${Math.ceil(bytes / 1024)}; exec "$@"`, 'limited']
}

/** True if this user may mount its own file system. */
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

/** Options of `unshare` for a mount namespace that ends with its processes. */
export const ownMounts = ['--user', '--map-root-user', '--mount'] as const
