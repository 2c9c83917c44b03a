import { ArchiveModels } from '../../index/archive/archive-models.js'
import type { FilledArchive } from '../../index/archive/open-archive.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import type { Caller } from '../../pipeline/stages/caller.js'

/** Models, and how many calls use them now. */
interface Lease {
  readonly recipe: string
  readonly models: ArchiveModels
  users: number
}

/** The models of an archive, each loaded when it is first needed and kept until the archive's recipe changes. */
export class KeptModels {
  readonly #device: DeviceChoice
  readonly #caller: Caller
  #current: Lease | undefined
  /** Of a former recipe, and in use still. */
  readonly #former = new Set<Lease>()

  constructor(device: DeviceChoice, caller: Caller) {
    this.#device = device
    this.#caller = caller
  }

  /** Gives `work` the models of the archive. They stay loaded until it is done, and as a rule after it. */
  async use<T>(opened: FilledArchive, work: (models: ArchiveModels) => Promise<T>): Promise<T> {
    const lease = await this.#leaseFor(opened)
    try {
      return await work(lease.models)
    } finally {
      lease.users--
      if (lease.users === 0 && this.#former.delete(lease)) await lease.models.dispose()
    }
  }

  /** To be called when nobody uses them. */
  async close(): Promise<void> {
    await this.#retire()
  }

  /** Counted as a user, which whoever asked is until it says otherwise. */
  async #leaseFor(opened: FilledArchive): Promise<Lease> {
    const recipe = opened.recipe.digest
    if (this.#current?.recipe !== recipe) await this.#retire()
    // All embedders: what searches need is among what names are enrolled with.
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
