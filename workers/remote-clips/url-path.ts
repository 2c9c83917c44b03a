/**
 * Decodes the escapes of a URL's path. Returns the path unchanged if it has invalid escapes, for example
 * `100%.mp4`.
 */
export function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}
