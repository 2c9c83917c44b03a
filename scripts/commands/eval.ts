import { Command } from 'commander'
import { identifyCommand } from './eval/identify.js'
import { templatesCommand } from './eval/templates.js'
import { verifyCommand } from './eval/verify.js'

export const evalCommand = new Command('eval')
  .description('Measure the models on the protocols of face recognition.')
  .addCommand(verifyCommand)
  .addCommand(templatesCommand)
  .addCommand(identifyCommand)
