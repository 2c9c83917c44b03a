import { Command } from 'commander'
import {
  changeSettings,
  defaultSettings,
  readSettings,
  type AccessSettings,
} from '../../../index/access/settings.js'
import { archiveOption, jsonOption } from '../../cli/options.js'
import { print, printJson } from '../../cli/output.js'
import { noteChange, useAccess } from './use-access.js'

interface SettingOptions {
  readonly archive: string
  readonly json: boolean
}

const show = (settings: AccessSettings, json: boolean) => {
  if (json) printJson(settings)
  else for (const [name, value] of Object.entries(settings)) print(`${name} ${String(value)}`)
}

const help = `
With --json: {${Object.keys(defaultSettings).join(', ')}}.`

const showCommand = new Command('show')
  .description('Show the settings of the server.')
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText('after', help)
  .action(({ archive, json }: SettingOptions) =>
    useAccess(archive, (access) => show(readSettings(access), json)),
  )

const setCommand = new Command('set')
  .description('Change a setting of the server.')
  .argument('<setting>', 'its name, as "cameo access settings show" gives it')
  .argument('<value>', 'true, false or a number')
  .addOption(archiveOption())
  .addOption(jsonOption())
  .addHelpText('after', help)
  .action((name: string, value: string, { archive, json }: SettingOptions) =>
    useAccess(archive, async (access) => {
      const changed = { [name]: valueOf(value) }
      const settings = changeSettings(access, changed)
      await noteChange(archive, { kind: 'settings', changed })
      show(settings, json)
    }),
  )

/** What is no number and no truth value stays a text, which the settings refuse. */
function valueOf(text: string): boolean | number | string {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
}

export const settingsCommand = new Command('settings')
  .description('Show and change what the server asks for and allows.')
  .addCommand(showCommand)
  .addCommand(setCommand)
