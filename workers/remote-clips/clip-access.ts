import { existsSync, mkdtempSync, realpathSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { isUrl } from '../../index/store/whole-path.js'
import type { FileStamp } from '../../index/store/file-facts.js'
import { clipName } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { makePrivateFolder } from '../../pipeline/common/private-files.js'
import type { TransferLimits } from '../../pipeline/common/transfer-pace.js'
import { checkUnchanged, stampOf } from '../ingest/file-stamp.js'
import { fetchHttp, type RemoteFetch } from './fetch-http.js'
import { fetchS3 } from './fetch-s3.js'
import { pinFile } from './pinned-file.js'
import { DownloadCache } from './download-cache.js'
import type { OpenedClip } from './opened-clip.js'

/** The clips that a worker may open. Everything else is refused. */
export interface AccessRules {
  /** Folders with readable files, and where they are mounted on this machine. */
  readonly roots: readonly Root[]
  /** `host` or `host:port` for http(s), `s3://bucket` for S3. */
  readonly hosts: ReadonlySet<string>
}

export interface Root {
  /** The path in jobs: the path on the machine that submits. */
  readonly submitted: string
  readonly mounted: string
}

/** All files that this user may read. */
export const everywhere: Root = { submitted: '/', mounted: '/' }

export interface ClipAccess {
  /**
   * @param planned the file that the clip was planned with; undefined for a clip that is not planned yet
   * @throws CLIP_NOT_ALLOWED, CLIP_GONE, CLIP_UNREADABLE, ROOT_MISSING, CLIP_FETCH_FAILED, CLIP_FETCH_SLOW,
   * CLIP_NOT_VIDEO, SCRATCH_FULL
   */
  open(uri: string, planned: FileStamp | undefined, signal: AbortSignal): Promise<OpenedClip>
}

export interface AccessOptions {
  readonly rules: AccessRules
  readonly scratchDir: string
  /** Limit for all fetched files together, bytes. */
  readonly scratchBytes: number
  /** Time limits for slow servers. */
  readonly limits?: TransferLimits
}

export function createClipAccess({ rules, scratchDir, scratchBytes, limits }: AccessOptions): ClipAccess {
  let downloads: DownloadCache | undefined
  let links: string | undefined
  const linksDir = () => {
    if (links === undefined) {
      makePrivateFolder(scratchDir)
      links = mkdtempSync(join(scratchDir, 'cameo-open-'))
    }
    return links
  }
  return {
    async open(uri, planned, signal) {
      if (!isUrl(uri)) return openFile(uri, rules.roots, linksDir)
      const fetch = fetcherFor(uri, rules)
      if (downloads === undefined) {
        makePrivateFolder(scratchDir)
        downloads = new DownloadCache(scratchDir, scratchBytes, limits)
      }
      return downloads.open({ uri, fetch, planned }, signal)
    },
  }
}

/** `user:password@`. Everyone who sees the address could read it. */
export const hasUserinfo = ({ username, password }: URL) => username !== '' || password !== ''

/**
 * A URL for logs and messages, without secrets: without the query, which may hold a signature, and without a
 * password. Paths stay as they are.
 */
export function withoutSecrets(uri: string): string {
  if (!isUrl(uri)) return uri
  // The end of the password is unknown.
  if (!URL.canParse(uri)) return `${uri.slice(0, uri.indexOf('://'))}://…`
  const { protocol, host, pathname } = new URL(uri)
  return `${protocol}//${host}${pathname}`
}

function openFile(path: string, roots: readonly Root[], links: () => string): OpenedClip {
  const { local, root } = localPath(path, roots)
  const file = pinFile(local, links, (real) => {
    if (!isInside(real, root)) throw notAllowed(path, 'a link leads out of its root')
  })
  const { path: pinned } = file
  let stamp: FileStamp
  try {
    stamp = stampOf(pinned)
  } catch (error) {
    file.close()
    throw error
  }
  return {
    path: pinned,
    stamp,
    checkUnchanged() {
      checkUnchanged({ path: file.realPath, stamp })
      if (!file.isInPlace())
        throw new CameoError(
          'CLIP_CHANGED',
          `${clipName(path)} was replaced while it was read: submit it again`,
        )
    },
    release: () => file.close(),
  }
}

/** A share that is not mounted must not fail its clips. Throws ROOT_MISSING. */
export function checkRoot({ mounted }: Root): void {
  if (!existsSync(mounted))
    throw new CameoError('ROOT_MISSING', `there is no folder ${mounted}; mount it, or give another folder`, {
      details: { remedy: 'mount-root', folder: mounted },
    })
}

/** The local path of a submitted path, links included, and its root without links. */
function localPath(path: string, roots: readonly Root[]): { readonly local: string; readonly root: string } {
  if (!isAbsolute(path) || resolve(path) !== path) throw notAllowed(path, 'the path is not absolute')
  const root = roots.find(({ submitted }) => isInside(path, submitted))
  if (root === undefined) throw notAllowed(path, 'it lies outside the allowed roots')
  checkRoot(root)
  return { local: join(root.mounted, relative(root.submitted, path)), root: realpathSync(root.mounted) }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function fetcherFor(uri: string, { hosts }: AccessRules): RemoteFetch {
  let url: URL
  try {
    url = new URL(uri)
  } catch {
    throw notAllowed(uri, 'the URL cannot be read')
  }
  checkUserinfo(uri, url)
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return fetchHttp(url, (target) => {
        checkUserinfo(uri, target)
        if (!hosts.has(target.hostname) && !hosts.has(`${target.hostname}:${portOf(target)}`))
          throw notAllowed(uri, `the host ${target.host} is not allowed`)
      })
    case 's3:':
      if (!hosts.has(`s3://${url.host}`)) throw notAllowed(uri, `the bucket ${url.host} is not allowed`)
      return fetchS3(url)
    default:
      throw notAllowed(uri, `${url.protocol}// is not supported`)
  }
}

/** `URL` omits default ports, even if they were given. */
function portOf({ protocol, port }: URL): string {
  if (port !== '') return port
  return protocol === 'https:' ? '443' : '80'
}

/** @param target the address itself, or an address that it redirects to */
function checkUserinfo(uri: string, target: URL): void {
  if (hasUserinfo(target))
    throw new CameoError(
      'CLIP_NOT_ALLOWED',
      `${clipName(withoutSecrets(uri))} may not be opened: an address with a user name or a password is refused, because messages and logs show addresses`,
    )
}

function notAllowed(uri: string, why: string): CameoError {
  const shown = withoutSecrets(uri)
  return new CameoError('CLIP_NOT_ALLOWED', `${clipName(shown)} may not be opened: ${why}`, {
    details: { remedy: 'allow-clip', uri: shown },
  })
}

/** "DIR" or "SUBMITTED=MOUNTED". Throws USAGE. */
export function parseRoot(text: string): Root {
  const isFolder = isAbsolute(text) && existsSync(text)
  const [submitted = '', mounted = submitted] = isFolder ? [text] : text.split('=')
  if (!isAbsolute(submitted) || !isAbsolute(mounted))
    throw new CameoError(
      'USAGE',
      `"${text}" is not a root: give an absolute folder, or SUBMITTED=MOUNTED if its path differs on this machine`,
    )
  return { submitted: resolve(submitted), mounted: resolve(mounted) }
}

/** "host", "host:port" or "s3://bucket". Throws USAGE. */
export function parseHost(text: string): string {
  if (/^s3:\/\/[a-z0-9.-]+$/.test(text) || /^[a-z0-9.-]+(:\d+)?$/i.test(text)) return text.toLowerCase()
  throw new CameoError('USAGE', `"${text}" is not a host: give HOST, HOST:PORT or s3://BUCKET`)
}
