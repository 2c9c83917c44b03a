import { Command } from 'commander'
import { anglesCommand } from './eval/angles.js'
import { compareCommand } from './eval/compare.js'
import { groupsCommand } from './eval/groups.js'
import { identifyCommand } from './eval/identify.js'
import { scoreCommand } from './eval/score.js'
import { ladderCommand } from './eval/ladder.js'
import { mapCommand } from './eval/map.js'
import { templatesCommand } from './eval/templates.js'
import { timesCommand } from './eval/times.js'
import { verifyCommand } from './eval/verify.js'

export const evalCommand = new Command('eval')
  .description('Measure the models on the protocols of face recognition.')
  .addCommand(scoreCommand)
  .addCommand(compareCommand)
  .addCommand(anglesCommand)
  .addCommand(mapCommand)
  .addCommand(ladderCommand)
  .addCommand(groupsCommand)
  .addCommand(timesCommand)
  .addCommand(verifyCommand)
  .addCommand(templatesCommand)
  .addCommand(identifyCommand)
