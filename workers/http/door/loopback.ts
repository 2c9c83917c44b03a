import { isIP } from 'node:net'

/** True for this machine itself. @param host a name or address, as in a URL or without its brackets */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
