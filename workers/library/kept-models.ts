import { ArchiveModels } from '../../index/archive/archive-models.js'
import type { FilledArchive } from '../../index/archive/open-archive.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import type { Caller } from '../../pipeline/stages/caller.js'

/** Models, and the number of calls that use them now. */
interface Lease {
  readonly recipe: string
  readonly models: ArchiveModels
  users: number
}

/** The models of an archive. Each is loaded on first use and kept until the archive's recipe changes. */
export class KeptModels {
  readonly #device: DeviceChoice
  readonly #caller: Caller
  #current: Lease | undefined
  /** Models of an earlier recipe that are still in use. */
  readonly #former = new Set<Lease>()

  constructor(device: DeviceChoice, caller: Caller) {
    this.#device = device
    this.#caller = caller
  }

  /** Calls `work` with the models of the archive. They stay loaded at least until `work` is done. */
  async use<T>(opened: FilledArchive, work: (models: ArchiveModels) => Promise<T>): Promise<T> {
    const lease = await this.#leaseFor(opened)
    try {
      return await work(lease.models)
    } finally {
      lease.users--
      if (lease.users === 0 && this.#former.delete(lease)) await lease.models.dispose()
    }
  }

  /** Call it when no call uses the models. */
  async close(): Promise<void> {
    await this.#retire()
  }

  /** Counts the caller as a user. The caller must give the lease back. */
  async #leaseFor(opened: FilledArchive): Promise<Lease> {
    const recipe = opened.recipe.digest
    if (this.#current?.recipe !== recipe) await this.#retire()
    // Uses all embedders: enrolment needs all of them, and a search needs some of them.
    this.#current ??= {
      recipe,
      models: new ArchiveModels(opened, { device: this.#device, embedders: 'all' }, this.#caller),
      users: 0,
    }
    this.#current.users++
    return this.#current
  }

  async #retire(): Promise<void> {
    const lease = this.#current
    this.#current = undefined
    if (lease === undefined) return
    if (lease.users > 0) this.#former.add(lease)
    else await lease.models.dispose()
  }
}
