import { Command } from 'commander'
import { describeCommand } from './worker/describe.js'
import { facesCommand } from './worker/faces.js'
import { indexCommand } from './worker/index-stage.js'

export const workerCommand = new Command('worker')
  .description('Process submitted clips: one process per stage, on any machine that reaches the brokers.')
  .addCommand(facesCommand)
  .addCommand(describeCommand)
  .addCommand(indexCommand)
