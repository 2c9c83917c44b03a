import { Command, Option } from 'commander'
import { doctor, type Check, type DoctorReport } from '../../index/doctor/doctor.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { adviceMessageOf } from '../cli/advice.js'
import { asCaller } from '../cli/caller.js'
import { archiveOption, deviceOption, jsonOption } from '../cli/options.js'
import { exitCodes, print, printJson } from '../cli/output.js'
import { coverageLine } from '../reports/coverage-text.js'

interface DoctorOptions {
  readonly archive: string
  readonly device: DeviceChoice
  readonly deep: boolean
  readonly json: boolean
}

export const doctorCommand = new Command('doctor')
  .description('Check that everything Cameo needs on this machine is there and works.')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(
    new Option('--deep', 'also check every row of the archive; takes as long as reading its file').default(
      false,
    ),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json: {ok, checks: [{name, ok, detail}]}; with --deep also damaged: [{clipId?, path?, name?, what}].
Exit code: 0 everything works, 2 something does not.`,
  )
  .action(async (options: DoctorOptions) => {
    const report = await asCaller((caller) => doctor(options, caller))
    tell(report, options)
    process.exitCode = report.ok ? exitCodes.ok : exitCodes.failed
  })

function tell(report: DoctorReport, { deep, json }: DoctorOptions): void {
  const { ok, damaged } = report
  const checks = report.checks.map((entry) => ({
    ...{ name: entry.name, ok: entry.ok, detail: detailOf(entry, report) },
  }))
  if (json) printJson({ ok, checks, ...(deep ? { damaged } : {}) })
  else for (const entry of checks) print(`${entry.ok ? '✓' : '✗'} ${entry.name.padEnd(12)} ${entry.detail}`)
}

/** Adds what to do about it, and how much of the archive was not looked at. */
function detailOf({ name, ok, detail, error }: Check, { coverage, notices }: DoctorReport): string {
  if (!ok) return adviceMessageOf(error)
  if (name !== 'archive') return detail
  const unseen = coverage === undefined ? undefined : coverageLine(coverage)
  return [`${detail}${unseen === undefined ? '' : `, but ${unseen}`}`, ...notices].join('; ')
}
