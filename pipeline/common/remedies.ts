/**
 * What helps against an error, and the data that the remedy needs. The names belong to the library: a program may
 * branch on them; a command line or a server words them for its users.
 */
export interface RemedyData {
  // models and devices
  /** Download the models: one file of them, or a whole pack, is missing. */
  'pull-models': { readonly path: string } | { readonly pack: string }
  /** Install the CUDA libraries of ONNX Runtime, or use the CPU. */
  'install-cuda': { readonly device: string }
  /** Make the GPU's driver work, or use the CPU. */
  'use-cpu': { readonly device: string }
  /** Install ffmpeg, this version or newer. */
  'install-ffmpeg': { readonly oldest: string }
  /** Ingest with a further embedder. */
  'add-embedder': { readonly embedder: string }

  // archives
  /** Ingest clips into the archive in this folder, or open another. */
  'ingest-first': { readonly archive: string }
  /** Process every clip of the archive again, or keep using the archive's own version of Cameo or its settings. */
  reprocess: { readonly archive: string; readonly differs: 'version' | 'settings' }
  /** Free some space on the archive's disk, then do the same again: the work continues where it stopped. */
  'free-space': { readonly archive: string }
  /** Repair the archive. */
  'repair-archive': { readonly archive: string }
  /** Check every row of the archive to find the damaged ones. */
  'check-archive': Nothing
  /** Open the archive of an older Cameo once as a user who can write it. */
  'upgrade-archive': { readonly archive: string }
  /** Finish the erasure when no other process reads the archive. */
  'finish-erasure': { readonly archive: string }
  /** Forget the clip, then ingest it again. */
  'forget-clip': { readonly clipId: string }

  // people and their photos
  /** Choose one of the faces of a photo, or of the people of a clip, by its number from 1. */
  'choose-face': { readonly path: string; readonly faces: number }
  /** Pass the file as what it really is. */
  'give-as': { readonly kind: 'clip' | 'image' | 'embedder' | 'context' }
  /** Choose one of two settings that contradict each other. */
  'choose-setting': { readonly between: 'mirror' | 'sampling' }
  /** Choose the frame rate of an EDL, or take another format. */
  'choose-rate': Nothing
  /** List the faces that a name is enrolled with, and choose one of them. */
  'list-faces': { readonly name: string }
  /** Say which time range of a clip is meant. */
  'give-range': Nothing
  /** Enroll faces that seem to be of different people, if they do belong to one person. */
  'enroll-all-the-same': Nothing
  /** Embed the kept pictures of names again, with the archive's models. */
  'refresh-names': { readonly name: string }
  /** Enroll the name first. */
  'enroll-first': { readonly name: string }

  // who may do what
  /** Try again later. */
  wait: { readonly seconds: number }

  // evaluation and training
  /** Say how people are known: by a gallery, a head, or enrolled names. */
  'give-identities': Nothing
  /** Train a head: the head in `path` does not name its people. */
  'train-head': { readonly path: string }
  /** Name the folder of an evaluation's report. */
  'name-report': { readonly path: string }
  /** Name a report that has rankings. */
  'name-rankings': { readonly path: string }
  /** Continue a training that was stopped. */
  'resume-training': Nothing
  /** Start a training from the beginning: there is no state to continue from. */
  'train-anew': { readonly checkpoint: string }

  // where workers find clips
  /** Mount the folder that contains the clips, or correct its name. */
  'mount-root': { readonly folder: string }
  /** Allow the folder or host of a clip. */
  'allow-clip': { readonly uri: string }
  /** Use another scratch folder. */
  'other-scratch': Nothing
  /** Allow more bytes in the scratch folder. */
  'enlarge-scratch': { readonly folder: string; readonly maxBytes: number }
  /** Accept slower downloads. */
  'lower-fetch-rate': Nothing

  // brokers and topics
  /** Correct the user name or the password. */
  'check-credentials': { readonly brokers: readonly string[] }
  /** Trust the authority of the broker's certificate, and name the broker as the certificate names it. */
  'trust-certificate': { readonly brokers: readonly string[] }
  /** Connect by TLS or SASL if the broker requires it. */
  'secure-connection': { readonly brokers: readonly string[] }
  /** Start a broker, or name other brokers. */
  'start-broker': { readonly brokers: readonly string[] }
  /** Create the topics. */
  'create-topics': { readonly topic: string }
  /** Build the archive again from what its topic, or another cluster, holds now. */
  'replay-archive': { readonly archive: string; readonly changed: 'topic' | 'cluster' }

  // messages that workers gave up
  /** Send the message again. */
  'retry-message': Nothing
  /** Look at the messages that were given up. */
  'read-dead-letters': Nothing
  /**
   * Start the worker with the head that the clip was submitted with; `headSha256` is undefined if there was no head.
   */
  'use-same-head': { readonly stage: 'describe' | 'index'; readonly headSha256: string | undefined }
  /** Start the worker with the encoder that the clip was submitted with. */
  'use-same-encoder': {
    readonly kind: 'embedder' | 'context'
    readonly name: string
    readonly digest: string
  }
  /** Use fewer context encoders. */
  'fewer-contexts': { readonly bytes: number; readonly maxBytes: number }
  /** Embed fewer faces of a track, or use fewer embedders. */
  'fewer-faces': { readonly bytes: number; readonly maxBytes: number }
}

/** The remedy needs no data. */
type Nothing = object

/** The name of what helps. */
export type Remedy = keyof RemedyData

/** What helps against an error, tagged by `remedy`. */
export type ErrorDetails<R extends Remedy = Remedy> = {
  readonly [K in R]: { readonly remedy: K } & RemedyData[K]
}[R]
