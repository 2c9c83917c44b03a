import { isAbsolute, join, relative, sep } from 'node:path'

/** The path of a file, of `paths JOIN roots USING (root_id)`; one root may be "/". */
export const wholePathSql = "rtrim(roots.path, '/') || '/' || relative_path"

/** True of what is fetched; all else is a path. */
export const isUrl = (uri: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(uri)

/** Of a file below its root. A root may be a URL, of which `join` would make a path. */
export function wholePath(root: string, relativePath: string): string {
  return isUrl(root) ? `${root.replace(/\/$/, '')}/${relativePath}` : join(root, relativePath)
}

/** From a root down to a folder, '' where they are the same; undefined where the folder lies elsewhere. */
export function pathBelow(root: string, folder: string): string | undefined {
  if (isUrl(root) !== isUrl(folder)) return undefined
  const path = isUrl(root) ? urlBelow(root, folder) : relative(root, folder)
  return path === undefined || path === '..' || path.startsWith('..' + sep) || isAbsolute(path)
    ? undefined
    : path
}

function urlBelow(root: string, folder: string): string | undefined {
  const base = root.replace(/\/$/, '')
  if (folder.replace(/\/$/, '') === base) return ''
  return folder.startsWith(`${base}/`) ? folder.slice(base.length + 1) : undefined
}

/** What ends the path of a folder below a root. */
export const separatorOf = (root: string) => (isUrl(root) ? '/' : sep)
