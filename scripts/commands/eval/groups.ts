import { resolve } from 'node:path'
import { Command } from 'commander'
import type { PoolChoice } from '../../../index/evaluate/datasets/pools.js'
import type { Agreement } from '../../../index/evaluate/metrics/group-agreement.js'
import { evaluateGroups } from '../../../index/evaluate/source/evaluate-groups.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { poolOption } from '../../cli/source-options.js'
import { tellDamaged } from '../../reports/damage-report.js'

interface GroupsOptions {
  readonly archive: string
  readonly groundTruth: string
  readonly pool: PoolChoice
  readonly json: boolean
}

export const groupsCommand = new Command('groups')
  .description('Compare the people of "cameo people group" with ground truth: BCubed and pairs.')
  .addOption(archiveOption())
  .requiredOption('--ground-truth <file>', 'who is in which clips (val_gt.txt), as for "cameo eval map"')
  .addOption(poolOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Ground truth: lines "CLIP ID", or lines "ID CLIP CLIP ...". Of each of these clips the track that shows the person is measured; with
--pool all, every other track shows a stranger, and a group is less precise for it. A track without a group counts as a group of its own.
BCubed precision: how much of a track's group is its person; recall: how much of its person is in its group; averages over tracks.
Pairs: the same for pairs of tracks. Intervals are 95 %, over people.
With --json: {bcubed: {precision, recall, f, ci95: {precision, recall, f}}, pairwise: {...the same}, tracks, people, groups, alone,
coverage, damaged, warnings}; alone: measured tracks without a group.
Exit code: 0 measured, 2 it could not run.`,
  )
  .action(({ archive, groundTruth, pool, json }: GroupsOptions) => {
    const dir = resolve(archive)
    const { warnings, damaged, ...result } = evaluateGroups({ archive: dir, groundTruth, pool }, note)
    tellDamaged({ dir }, damaged)
    if (json) printJson({ ...result, damaged, warnings })
    else {
      for (const warning of warnings) note(warning)
      print(agreementText('BCubed', result.bcubed))
      print(agreementText('pairs ', result.pairwise))
      print(
        `${counted(result.groups, 'group')} of ${counted(result.people, 'person', 'people')}, ` +
          `${counted(result.tracks, 'track')}, ${result.alone} of them without a group`,
      )
    }
    process.exitCode = exitCodes.ok
  })

function agreementText(what: string, { precision, recall, f, ci95 }: Agreement): string {
  const figure = (value: number, [low, high]: readonly [number, number]) =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  return `${what}: precision ${figure(precision, ci95.precision)}, recall ${figure(recall, ci95.recall)}, F ${figure(f, ci95.f)}`
}
