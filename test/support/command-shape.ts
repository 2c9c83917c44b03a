import type { Argument, Command, Option } from 'commander'
import { byName } from './frozen.js'

/** The options and arguments of a command and its subcommands, without the wording of the help. */
export function commandShape(command: Command): object {
  const { parent } = command
  const isHidden = parent !== null && !parent.createHelp().visibleCommands(parent).includes(command)
  return {
    ...(command.aliases().length > 0 ? { aliases: command.aliases() } : {}),
    ...(isHidden ? { hidden: true } : {}),
    arguments: command.registeredArguments.map(argumentShape),
    options: byName(command.options.map((option) => [option.long ?? option.flags, optionShape(option)])),
    ...(command.commands.length > 0
      ? { commands: byName(command.commands.map((each) => [each.name(), commandShape(each)])) }
      : {}),
  }
}

const argumentShape = (argument: Argument) => ({
  name: argument.name(),
  required: argument.required,
  ...(argument.variadic ? { several: true } : {}),
  default: argument.defaultValue as unknown,
  choices: argument.argChoices,
  takes: argument.argChoices === undefined ? takenBy(argument) : undefined,
})

const optionShape = (option: Option) => ({
  flags: option.flags,
  default: defaultOf(option),
  choices: option.argChoices,
  takes: option.argChoices === undefined ? takenBy(option) : undefined,
  env: option.envVar,
  conflicts: 'conflictsWith' in option ? nonEmpty(option.conflictsWith) : undefined,
  ...(option.mandatory ? { mandatory: true } : {}),
  ...(option.hidden ? { hidden: true } : {}),
})

const nonEmpty = (list: unknown) => (Array.isArray(list) && list.length > 0 ? list : undefined)

/** The default number of threads is the number of cores. */
const defaultOf = (option: Option): unknown =>
  option.attributeName() === 'threads' && typeof option.defaultValue === 'number'
    ? 'cores of the machine'
    : option.defaultValue

/** One value of each other kind, then numbers at and around the limits of options. */
const probes = [
  ...['', 'x', 'a,b', '1/2', '4K', 'cpu', 'cuda:1', '/x', '/x=/y', 's3://x', '-2', '-1', '0', '1e-9', '1e-8'],
  ...'1e-6 0.001 0.01 0.1 0.9 1 1.5 2 8 9 10 11 12 60 61 64 65 100 101 256 257 1000 1001 2000 2001'.split(
    ' ',
  ),
  ...'3600 3601 10000 10001 16384 16385 65535 65536 65537 86400 86401 100000 100001 1000000'.split(' '),
  ...'1000001 2147483647 2147483648 1e9 2e9'.split(' '),
]

/** The probes that a parser accepts; consecutive ones as `first..last`. */
function takenBy({ parseArg }: Pick<Option | Argument, 'parseArg'>): string | undefined {
  if (parseArg === undefined) return undefined
  const isTaken = (text: string) => {
    try {
      parseArg<unknown>(text, undefined)
      return true
    } catch {
      return false
    }
  }
  const rows: string[][] = [[]]
  for (const probe of probes)
    if (isTaken(probe)) rows.at(-1)?.push(probe === '' ? '""' : probe)
    else rows.push([])
  const rowText = (row: readonly string[]) =>
    row.length > 3 ? `${row[0] ?? ''}..${row.at(-1) ?? ''}` : row.join(' ')
  return rows
    .filter((row) => row.length > 0)
    .map(rowText)
    .join(' ')
}
