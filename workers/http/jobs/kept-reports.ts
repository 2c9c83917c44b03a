import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { makePrivateFolder, writePrivateFile } from '../../../pipeline/common/private-files.js'

/** A report of an evaluation. */
const reportSchema = z.looseObject({
  evaluationId: z.uuid(),
  at: z.iso.datetime(),
  /** MAP@100, 0..1, and its 95 % interval. */
  map: z.number(),
  ci95: z.array(z.number()).readonly(),
})
export type KeptReport = z.infer<typeof reportSchema>

const extension = '.json'
const idSchema = z.uuid()

/** Reports of evaluations, in files beside the archive that only its owner can read. */
export class KeptReports {
  readonly #dir: string

  /** @param archive its folder */
  constructor(archive: string) {
    this.#dir = join(archive, 'reports')
  }

  write(report: KeptReport): void {
    makePrivateFolder(this.#dir)
    const file = this.#fileOf(report.evaluationId)
    writePrivateFile(`${file}.new`, JSON.stringify(report))
    renameSync(`${file}.new`, file)
  }

  /** The newest first. What cannot be read is left out. */
  list(): readonly KeptReport[] {
    return this.#ids()
      .flatMap((id) => this.#read(id) ?? [])
      .sort((a, b) => (a.at < b.at ? 1 : -1))
  }

  /** @throws NOT_FOUND */
  find(evaluationId: string): KeptReport {
    const report = idSchema.safeParse(evaluationId).success ? this.#read(evaluationId) : undefined
    if (report === undefined) throw new CameoError('NOT_FOUND', 'there is no such report')
    return report
  }

  #ids(): readonly string[] {
    try {
      return readdirSync(this.#dir)
        .filter((name) => name.endsWith(extension))
        .map((name) => name.slice(0, -extension.length))
    } catch {
      return []
    }
  }

  #read(id: string): KeptReport | undefined {
    try {
      return reportSchema.parse(JSON.parse(readFileSync(this.#fileOf(id), 'utf8')))
    } catch {
      return undefined
    }
  }

  #fileOf(id: string): string {
    return join(this.#dir, `${id}${extension}`)
  }
}
