import { Command } from 'commander'
import { applyCommand } from './head/apply.js'
import { trainCommand } from './head/train.js'

export const headCommand = new Command('head')
  .description('Train a head on labelled clips, and describe an archive with it.')
  .addCommand(trainCommand)
  .addCommand(applyCommand)
