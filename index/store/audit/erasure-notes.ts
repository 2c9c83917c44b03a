import type { Database, Statement } from '../sqlite.js'

/** A subject that an erasure is about to take. It names nobody. */
export interface ErasureNote {
  /** HMAC of the subject's kind and label. */
  readonly labelHmac: Buffer
  /** What the subject goes with: a photo goes with the name it was enrolled for, anything else with itself. */
  readonly ownerKind: 'name' | 'clip' | 'group'
  readonly ownerHmac: Buffer
}

/** Subjects whose keys must be destroyed if they are gone. They are noted before an erasure, in case its process dies. */
export class ErasureNotes {
  readonly #insert: Statement<[ErasureNote], unknown>
  readonly #all: Statement<[], ErasureNote>
  readonly #remove: Statement<[Pick<ErasureNote, 'labelHmac' | 'ownerHmac'>], unknown>

  constructor(database: Database) {
    this.#insert = database.prepare(
      `INSERT INTO erasure_notes (label_hmac, owner_kind, owner_hmac) VALUES (@labelHmac, @ownerKind, @ownerHmac)
       ON CONFLICT DO NOTHING`,
    )
    this.#all = database.prepare(
      'SELECT label_hmac AS labelHmac, owner_kind AS ownerKind, owner_hmac AS ownerHmac FROM erasure_notes',
    )
    this.#remove = database.prepare(
      'DELETE FROM erasure_notes WHERE label_hmac = @labelHmac AND owner_hmac = @ownerHmac',
    )
  }

  add(notes: readonly ErasureNote[]): void {
    for (const note of notes) this.#insert.run(note)
  }

  all(): ErasureNote[] {
    return this.#all.all()
  }

  remove(notes: readonly ErasureNote[]): void {
    for (const { labelHmac, ownerHmac } of notes) this.#remove.run({ labelHmac, ownerHmac })
  }
}
