import { Command } from 'commander'
import { applyCommand } from './head/apply.js'

export const headCommand = new Command('head')
  .description('Heads: small networks over the pooled embeddings, which turn them into descriptors.')
  .addCommand(applyCommand)
