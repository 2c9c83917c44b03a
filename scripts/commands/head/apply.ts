import { Command, Option } from 'commander'
import { applyHead, type HeadApplied } from '../../../index/archive/apply-head.js'
import { openFilledArchive } from '../../../index/archive/open-archive.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { asCaller } from '../../cli/caller.js'
import { archiveOption, deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { untilStopped } from '../../cli/until-stopped.js'
import { tellDamaged } from '../../reports/damage-report.js'

interface ApplyOptions {
  readonly archive: string
  readonly none: boolean
  readonly device: DeviceChoice
  readonly json: boolean
}

export const applyCommand = new Command('apply')
  .description(
    'Describe the clips of an archive again with a head, from their stored embeddings. No video is read. The archive is then as if it had been ingested with "--head".',
  )
  .argument('[head]', 'ONNX file of the head')
  .addOption(archiveOption())
  .addOption(new Option('--none', 'remove the head: plain pooled embeddings again').default(false))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The archive can be searched meanwhile, with its previous descriptors. If the command is stopped or killed, the archive stays intact:
run it again to continue. With Kafka, stop "cameo worker index" first, and start the workers with the new head afterwards.
With --json: {status, tracks, described, damaged, dimension, seconds}; status is done, unchanged or interrupted.
Exit code: 0 done, 2 the command could not run, 130 interrupted.`,
  )
  .action(async (head: string | undefined, options: ApplyOptions) => {
    if ((head === undefined) !== options.none)
      throw new CameoError('USAGE', 'give either the file of a head, or --none')
    process.exitCode = await runApply(head, options)
  })

async function runApply(
  head: string | undefined,
  { archive: dir, device, json }: ApplyOptions,
): Promise<number> {
  const startedMs = performance.now()
  const opened = openFilledArchive(dir, note)
  try {
    const { damaged, dimension, ...counts } = await untilStopped((signal) =>
      asCaller((caller) => applyHead(opened, { head, device, signal }, caller)),
    )
    const seconds = Math.round(performance.now() - startedMs) / 1000
    tellDamaged(opened.archive, damaged)
    if (json) printJson({ ...counts, damaged, dimension, seconds })
    else if (counts.status !== 'interrupted') print(summaryOf(counts, head, seconds))
    return counts.status === 'interrupted' ? exitCodes.interrupted : exitCodes.ok
  } finally {
    opened.archive.close()
  }
}

function summaryOf(
  { status, tracks, described }: Pick<HeadApplied, 'status' | 'tracks' | 'described'>,
  path: string | undefined,
  seconds: number,
) {
  const by = path === undefined ? 'plain pooling' : `the head ${path}`
  return status === 'unchanged'
    ? `the ${counted(tracks, 'track is', 'tracks are')} described by ${by} already`
    : `${counted(tracks, 'track is', 'tracks are')} described by ${by} now (${described} in ${seconds.toFixed(1)} s)`
}
