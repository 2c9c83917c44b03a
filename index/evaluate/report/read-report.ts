import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import {
  evaluationReport,
  reportFiles,
  reportVersion,
  whatIsWrong,
  type EvaluationReport,
} from './report-data.js'

const versioned = z.object({ version: z.int(), kind: z.string().optional() })

/**
 * Reads a report.
 * @param dirOrFile the folder of a report, or its report.json under any name
 * @throws CameoError EVALUATION_INVALID if it cannot be read, is not a report, or was written by a newer version of
 * Cameo
 */
export async function readReport(dirOrFile: string): Promise<EvaluationReport> {
  const { file, text } = await readJson(dirOrFile)
  const json = parseJson(text, file)
  const version = versioned.safeParse(json)
  if (!version.success)
    throw new CameoError(
      'EVALUATION_INVALID',
      `${file} is not a report, because it has no version; give the folder of a report`,
      { details: { remedy: 'name-report', path: dirOrFile } },
    )
  if (version.data.version > reportVersion)
    throw new CameoError(
      'EVALUATION_INVALID',
      `${file} is a report of version ${version.data.version}, but this Cameo reads up to ${reportVersion}: update Cameo`,
    )
  if (version.data.kind !== undefined)
    throw new CameoError(
      'EVALUATION_INVALID',
      `${file} is a report of the kind "${version.data.kind}", which has no rankings; give one that has`,
      { details: { remedy: 'name-rankings', path: dirOrFile } },
    )
  const report = evaluationReport.safeParse(json)
  if (!report.success)
    throw new CameoError(
      'EVALUATION_INVALID',
      `${file} is damaged or was edited: ${whatIsWrong(report.error)}`,
    )
  return report.data
}

async function readJson(dirOrFile: string): Promise<{ file: string; text: string }> {
  try {
    const file = (await stat(dirOrFile)).isDirectory() ? join(dirOrFile, reportFiles.json) : dirOrFile
    return { file, text: await readFile(file, 'utf8') }
  } catch (error) {
    throw new CameoError(
      'EVALUATION_INVALID',
      `no report can be read at ${dirOrFile}: ${messageOf(error)}; give the folder of a report, or its ${reportFiles.json}`,
      { cause: error, details: { remedy: 'name-report', path: dirOrFile } },
    )
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CameoError('EVALUATION_INVALID', `${file} is not JSON: ${messageOf(error)}`, { cause: error })
  }
}
