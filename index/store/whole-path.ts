import { isAbsolute, join, relative, sep } from 'node:path'

/** SQL for the path of a file, from `paths JOIN roots USING (root_id)`. A root may be "/". */
export const wholePathSql = "rtrim(roots.path, '/') || '/' || relative_path"

/** True for a URL. Everything else is a path. */
export const isUrl = (uri: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(uri)

/** The path of a file below its root. The root may be a URL, which `join` would turn into a path. */
export function wholePath(root: string, relativePath: string): string {
  return isUrl(root) ? `${root.replace(/\/$/, '')}/${relativePath}` : join(root, relativePath)
}

/** The path from a root down to a folder. '' if they are the same. Undefined if the folder is not below the root. */
export function pathBelow(root: string, folder: string): string | undefined {
  if (isUrl(root) !== isUrl(folder)) return undefined
  const path = isUrl(root) ? urlBelow(root, folder) : relative(root, folder)
  return path === undefined || path === '..' || path.startsWith('..' + sep) || isAbsolute(path)
    ? undefined
    : path
}

/** Whether a path is one of the folders or below one. */
export const isBelowAny = (folders: readonly string[], path: string): boolean =>
  folders.some((folder) => pathBelow(folder, path) !== undefined)

function urlBelow(root: string, folder: string): string | undefined {
  const base = root.replace(/\/$/, '')
  if (folder.replace(/\/$/, '') === base) return ''
  return folder.startsWith(`${base}/`) ? folder.slice(base.length + 1) : undefined
}

/** The separator of paths below a root. */
export const separatorOf = (root: string) => (isUrl(root) ? '/' : sep)
