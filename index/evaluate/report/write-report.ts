import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import type { z } from 'zod'
import { perIdentityCsv, perPairCsv } from './csv.js'
import { evaluationReport, reportFiles, whatIsWrong, type EvaluationReport } from './report-data.js'
import { timesFiles, timesReport, type TimesReport } from './times-data.js'
import type { ThumbnailOf } from './worst-sections.js'

/** File names that a report folder may contain and still be replaced. Finder creates the last one. */
const replaceable = new Set<string>([
  ...Object.values(reportFiles),
  ...Object.values(timesFiles),
  '.DS_Store',
])

/**
 * Writes the folder of a report, completely or not at all. Creates the files in a temporary folder next to it and
 * then renames that folder. Replaces an older report.
 * @param thumbnailOf faces for the worst queries. They are used only in the page
 * @throws CameoError EVALUATION_INVALID if the report contradicts itself; REPORT_NOT_WRITTEN if the folder contains
 * anything other than a report, or cannot be written
 */
export async function writeReport(
  dir: string,
  report: EvaluationReport,
  thumbnailOf?: ThumbnailOf,
): Promise<void> {
  const data = checked(evaluationReport, report)
  // The chart library is slow to load, so it is loaded only here.
  const { reportHtml } = await import('./html.js')
  await writeFolder(dir, [
    [reportFiles.json, `${JSON.stringify(data)}\n`],
    [reportFiles.csv, perIdentityCsv(data)],
    [reportFiles.html, reportHtml(data, thumbnailOf)],
  ])
}

/** Like `writeReport`, for a report of answers in time. */
export async function writeTimesReport(dir: string, report: TimesReport): Promise<void> {
  const data = checked(timesReport, report)
  const { timesHtml } = await import('./times-html.js')
  await writeFolder(dir, [
    [timesFiles.json, `${JSON.stringify(data)}\n`],
    [timesFiles.csv, perPairCsv(data)],
    [timesFiles.html, timesHtml(data)],
  ])
}

function checked<Report extends { readonly title: string }>(
  schema: z.ZodType<Report>,
  report: Report,
): Report {
  const parsed = schema.safeParse(report)
  if (parsed.success) return parsed.data
  throw new CameoError(
    'EVALUATION_INVALID',
    `the report "${report.title}" is wrong: ${whatIsWrong(parsed.error)}`,
  )
}

async function writeFolder(
  dir: string,
  files: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  try {
    const target = await resolveTarget(dir)
    await checkReplaceable(target)
    await mkdir(dirname(target), { recursive: true })
    const made = await mkdtemp(join(dirname(target), `.${basename(target)}.new-`))
    try {
      for (const [name, text] of files) writePrivateFile(join(made, name), text)
      await replaceFolder(target, made)
    } finally {
      await rm(made, { recursive: true, force: true })
    }
  } catch (error) {
    if (error instanceof CameoError) throw error
    throw new CameoError(
      'REPORT_NOT_WRITTEN',
      `the report could not be written to ${dir}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** Follows a link to a folder, so that the folder is replaced and not the link. */
async function resolveTarget(dir: string): Promise<string> {
  try {
    return await realpath(dir)
  } catch {
    return resolve(dir)
  }
}

async function checkReplaceable(dir: string): Promise<void> {
  const other = (await listFolder(dir)).find((name) => !replaceable.has(name))
  if (other !== undefined)
    throw new CameoError(
      'REPORT_NOT_WRITTEN',
      `${dir} contains "${other}", which is not part of a report: give another folder or an empty one`,
      { retriable: false },
    )
}

async function listFolder(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/**
 * A folder with content cannot be replaced by a rename. So the old folder is renamed first, and restored if the new
 * one cannot be moved.
 */
async function replaceFolder(target: string, made: string): Promise<void> {
  const aside = join(dirname(target), `.${basename(target)}.old-${randomUUID()}`)
  try {
    await rename(target, aside)
  } catch (error) {
    if (!isMissing(error)) throw error
    await rename(made, target)
    return
  }
  try {
    await rename(made, target)
  } catch (error) {
    await rename(aside, target)
    throw error
  }
  await rm(aside, { recursive: true, force: true })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
