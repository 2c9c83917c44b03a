import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestActor } from '../../../index/access/request-actor.js'
import type { LookedAt, LookedAtPerson } from '../../../index/search/look-at.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { throwIfStopped } from '../../../pipeline/common/stop.js'
import { oneLine } from '../../../pipeline/common/visible-text.js'
import type { ArchiveHost } from '../hosts/archive-host.js'
import { contentOfList, contentOfUpload, type UploadKind } from './content-kind.js'
import { receiveFile } from './receive-file.js'
import { UploadShelf, type ShelfLimits } from './upload-shelf.js'

/** Bounds of uploads; each has a default. */
export interface UploadLimits extends Partial<ShelfLimits> {
  /** Default: 64 MiB. */
  readonly photoBytes?: number
  /** Default: 2 GiB. */
  readonly clipBytes?: number
  /** Default: 16 MiB. */
  readonly listBytes?: number
}

/** What somebody uploaded. */
export interface Upload {
  readonly uploadId: string
  readonly kind: UploadKind
  /** Its file, private, until the upload expires. */
  readonly path: string
  /** SHA-256 of its bytes, hex. */
  readonly contentSha256: string
  /** As the browser named it, for messages. */
  readonly name: string
  /** Undefined for a list. */
  readonly looked: LookedAt | undefined
  readonly expiresAtMs: number
}

export interface UploadParts {
  readonly looks: Pick<ArchiveHost, 'call'>
  /** Private. */
  readonly folder: string
  readonly limits?: UploadLimits
  /** ms. Default: the system's clock. */
  readonly now?: () => number
}

/** A file that is about to arrive. */
export interface ArrivingFile {
  readonly bytes: AsyncIterable<Buffer>
  readonly name: string
  /** Text with labels, in place of a photo or clip. */
  readonly isList: boolean
  /** Stops it, if whoever uploads goes away. */
  readonly signal: AbortSignal
}

const gib = 2 ** 30
const mib = 2 ** 20

const sweepEveryMs = 30_000

/** Receives files, looks at them, and keeps what was found until it expires. */
export class UploadDesk {
  readonly #parts: UploadParts
  readonly #shelf: UploadShelf<Upload>
  readonly #mostBytes: Readonly<Record<UploadKind, number>>
  readonly #timer: NodeJS.Timeout

  constructor(parts: UploadParts) {
    this.#parts = parts
    const { limits = {}, now = () => Date.now() } = parts
    const { photoBytes = 64 * mib, clipBytes = 2 * gib, listBytes = 16 * mib } = limits
    this.#mostBytes = { image: photoBytes, clip: clipBytes, list: listBytes }
    this.#shelf = new UploadShelf(
      {
        keepMs: limits.keepMs ?? 15 * 60_000,
        mostPerActor: limits.mostPerActor ?? 20,
        bytesPerActor: limits.bytesPerActor ?? 4 * gib,
        mostInAll: limits.mostInAll ?? 500,
        bytesInAll: limits.bytesInAll ?? 16 * gib,
      },
      now,
      (uploadId) => rmSync(this.#folderOf(uploadId), { recursive: true, force: true }),
    )
    this.#timer = setInterval(() => this.#shelf.sweep(), sweepEveryMs)
    this.#timer.unref()
  }

  /** The number of uploads that are kept or arrive. */
  get size(): number {
    return this.#shelf.size
  }

  /**
   * @throws UPLOAD_TOO_LARGE, TOO_MANY_REQUESTS, SERVER_BUSY; IMAGE_UNREADABLE if it is neither a photo nor a clip; GROUND_TRUTH_INVALID
   * if it is no list; as `Cameo.lookAt` does. Then nothing is kept
   */
  async receive(actor: RequestActor, { bytes, name, isList, signal }: ArrivingFile): Promise<Upload> {
    const claim = this.#shelf.claim(ownerOf(actor), randomUUID())
    const { uploadId } = claim
    try {
      const folder = this.#folderOf(uploadId)
      mkdirSync(folder, { mode: 0o700 })
      const { kind, path, sha256 } = await receiveFile(bytes, {
        folder,
        sniff: isList ? contentOfList : contentOfUpload,
        mostBytes: this.#mostBytes,
        take: (count) => claim.take(count),
      })
      throwIfStopped(signal, 'the upload')
      const looked = isList ? undefined : await this.#parts.looks.call('lookAt', path, { signal })
      throwIfStopped(signal, 'the upload')
      return claim.keep((expiresAtMs) => ({
        ...{ uploadId, kind, path, contentSha256: sha256 },
        ...{ name: nameOf(name, kind), looked, expiresAtMs },
      }))
    } finally {
      claim.release()
    }
  }

  /** @throws NOT_FOUND */
  find(actor: RequestActor, uploadId: string): Upload {
    return this.#shelf.find(ownerOf(actor), uploadId)
  }

  /**
   * Somebody in an upload: number `face`, else the one that it is plainly of.
   * @throws NOT_FOUND, FACE_UNKNOWN, IMAGE_SEVERAL_FACES; USAGE if it shows nobody because it is a list
   */
  person(actor: RequestActor, uploadId: string, face?: number): LookedAtPerson {
    const { looked, name } = this.find(actor, uploadId)
    if (looked === undefined) throw new CameoError('USAGE', 'this upload is neither a photo nor a clip')
    const { people } = looked
    const chosen = people.find(({ number, isMain }) => (face === undefined ? isMain : number === face))
    if (chosen !== undefined) return { ...chosen, question: { ...chosen.question, value: name } }
    if (face !== undefined) throw new CameoError('FACE_UNKNOWN', `the upload has no face ${face}`)
    const [only, another] = people
    if (only !== undefined && another === undefined)
      return { ...only, question: { ...only.question, value: name } }
    throw new CameoError(
      'IMAGE_SEVERAL_FACES',
      `the upload shows ${people.length} faces: say which one is meant`,
    )
  }

  /** @throws NOT_FOUND */
  remove(actor: RequestActor, uploadId: string): void {
    this.#shelf.remove(ownerOf(actor), uploadId)
  }

  /** Stops expiry. The server's folder is removed by its owner. */
  close(): void {
    clearInterval(this.#timer)
  }

  #folderOf(uploadId: string): string {
    return join(this.#parts.folder, uploadId)
  }
}

/** Ids of users and keys are not of one series. */
const ownerOf = ({ kind, id }: RequestActor) => `${kind}:${id}`

const nameOf = (name: string, kind: UploadKind) => {
  const text = oneLine(name.split(/[\\/]/).at(-1)?.slice(0, 200) ?? '').trim()
  return text === '' ? kind : text
}
