import { relative } from 'node:path'
import type { Archive } from '../../../../index/archive/open-archive.js'
import type { Failure, RunKey } from '../../../../index/store/clip-facts.js'
import { isUrl } from '../../../../index/store/whole-path.js'
import type { FileStamp } from '../../../../index/store/file-facts.js'
import type { Inbox } from '../../../../index/store/inbox.js'
import { unknownStamp } from '../../../ingest/file-stamp.js'
import type { KafkaConnection } from '../../broker/connection.js'
import { topicName } from '../../broker/topics.js'
import {
  encodeMessage,
  wireVersion,
  type ClosingMessage,
  type DescriptorsMessage,
  type GivenUpMessage,
  type StatusMessage,
} from '../../messages/schemas.js'
import { statusKey } from './status.js'

export interface ClipOutcomesOptions {
  readonly archive: Archive
  readonly inbox: Inbox
  readonly connection: Pick<KafkaConnection, 'prefix'>
}

/** Stores the results of clips: beside their files in the archive, and as statuses to publish. */
export class ClipOutcomes {
  readonly #archive: Archive
  readonly #inbox: Inbox
  readonly #statusTopic: string
  readonly #told: StatusMessage[] = []

  constructor({ archive, inbox, connection }: ClipOutcomesOptions) {
    this.#archive = archive
    this.#inbox = inbox
    this.#statusTopic = topicName(connection, 'status')
  }

  /** All stored statuses, in order. */
  get told(): readonly StatusMessage[] {
    return this.#told
  }

  /** Stores the content of the message's file. */
  recordFile(message: DescriptorsMessage, stamp: FileStamp, clipId: string): void {
    const { rootId, path } = this.#placeOf(message)
    this.#archive.files.record(rootId, path, stamp, clipId)
  }

  /** The clip's result depends only on its rows, not on the order in which they came. */
  finishIfComplete(
    message: ClosingMessage | GivenUpMessage,
    key: RunKey,
    stamp: FileStamp | undefined,
  ): void {
    const { clips, files } = this.#archive
    const run = clips.run(key)
    if (run === undefined || run.state === 'working') return
    const failure = clips.failureOf(key)
    if (failure === undefined) files.clearFailuresOf(key.clipId)
    this.#setFailure(message, failure)
    this.#tell(message, {
      state: run.state === 'done' ? 'indexed' : 'partial',
      clipId: key.clipId,
      tracks: run.tracks,
      frames: run.frames,
      faces: run.faces,
      durationS: clips.durationOf(key.clipId),
      truncated: run.truncated,
      ...(run.lostS === 0 ? {} : { lostS: run.lostS }),
      ...(run.leftOut.length === 0 ? {} : { leftOut: run.leftOut }),
      failure,
      ...(stamp === undefined ? {} : { sizeBytes: stamp.sizeBytes, mtimeNs: stamp.mtimeNs }),
    })
  }

  fail(message: ClosingMessage | GivenUpMessage, clipId: string | undefined, failure: Failure): void {
    const { rootId, path } = this.#placeOf(message)
    const isRecorded = clipId !== undefined && (message.kind === 'closing' || message.stamp !== undefined)
    if (isRecorded) this.#archive.files.setFailure(rootId, path, failure)
    else this.#archive.files.recordFailed(rootId, path, unknownStamp, failure)
    this.#tell(message, { state: 'failed', clipId, failure })
  }

  setForgotten(message: DescriptorsMessage, clipId: string): void {
    this.#setFailure(message, undefined)
    this.#tell(message, { state: 'forgotten', clipId })
  }

  #setFailure(message: DescriptorsMessage, failure: Failure | undefined): void {
    const { rootId, path } = this.#placeOf(message)
    this.#archive.files.setFailure(rootId, path, failure)
  }

  #placeOf({ source }: DescriptorsMessage): { readonly rootId: number; readonly path: string } {
    const root = this.#archive.files.rootFor(source.root)
    return { rootId: root.rootId, path: relativePath(root.path, source.uri) }
  }

  #tell(
    { source, recipe }: DescriptorsMessage,
    status: Omit<StatusMessage, 'v' | 'kind' | 'uri' | 'recipe' | 'at'>,
  ): void {
    const { uri, ctimeNs } = source
    const message: StatusMessage = {
      ...{ v: wireVersion, kind: 'status', uri, recipe: recipe.digest, ...status },
      ...(ctimeNs === undefined ? {} : { ctimeNs }),
      at: new Date().toISOString(),
    }
    this.#inbox.toPublish(this.#statusTopic, statusKey(recipe.digest, uri), encodeMessage(message))
    this.#told.push(message)
  }
}

/** The part of a path or URL below its root. */
function relativePath(root: string, uri: string): string {
  if (!isUrl(uri)) return relative(root, uri)
  return uri.startsWith(root) ? uri.slice(root.length).replace(/^\//, '') : uri
}
