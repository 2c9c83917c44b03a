import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isUrl } from '../../index/store/whole-path.js'

/** The beginning of a Windows path: a drive or a share. */
const windowsRoot = /^(?:[a-z]:[\\/]|\\\\[^\\])/i

/**
 * The URL that opens a clip of an archive in a browser: a `file:` URL for a path, or the web address itself.
 * Undefined if a browser cannot open it: an S3 object, a relative path, or a path that was not valid text
 * (see below).
 */
export function clipLink(path: string): string | undefined {
  // Invalid UTF-8 bytes are lost when a path becomes text, so a link would lead elsewhere.
  if (/\p{Cs}/u.test(path)) return undefined
  if (windowsRoot.test(path)) return pathToFileURL(path, { windows: true }).href
  if (!isUrl(path)) return isAbsolute(path) ? pathToFileURL(path).href : undefined
  if (!URL.canParse(path)) return undefined
  const url = new URL(path)
  // If the address had a password, the page would show it.
  const isWeb = (url.protocol === 'http:' || url.protocol === 'https:') && url.username + url.password === ''
  return isWeb ? url.href : undefined
}
