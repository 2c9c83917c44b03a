import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isUrl } from '../../index/store/whole-path.js'

/** The beginning of a path of Windows: a drive or a share. */
const windowsRoot = /^(?:[a-z]:[\\/]|\\\\[^\\])/i

/**
 * Where a browser finds a clip of an archive: a `file:` URL for a path, the address itself for one of the web. Undefined where
 * nothing can be opened so: an object of S3, a path that is relative, or one that was not text (see below).
 */
export function clipLink(path: string): string | undefined {
  // Bytes that are no UTF-8, as far as they came to be text, are lost: a link would lead elsewhere.
  if (/\p{Cs}/u.test(path)) return undefined
  if (windowsRoot.test(path)) return pathToFileURL(path, { windows: true }).href
  if (!isUrl(path)) return isAbsolute(path) ? pathToFileURL(path).href : undefined
  if (!URL.canParse(path)) return undefined
  const url = new URL(path)
  // Of an address with a password, the password would stand in the page.
  const isWeb = (url.protocol === 'http:' || url.protocol === 'https:') && url.username + url.password === ''
  return isWeb ? url.href : undefined
}
