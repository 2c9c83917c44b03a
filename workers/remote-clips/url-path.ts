/** A URL's path without its escapes; as it stands where these are none, as in `100%.mp4`. */
export function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}
