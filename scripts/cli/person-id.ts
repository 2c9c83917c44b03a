import { InvalidArgumentError } from 'commander'

/** The number of a person or of a change, as a command's argument. */
export function idOf(text: string): number {
  const id = Number(text)
  if (!/^\d{1,15}$/.test(text) || id < 1) throw new InvalidArgumentError('a number is needed.')
  return id
}

/** The same, of an argument that may be repeated. */
export const idsOf = (text: string, before: readonly number[] | undefined): readonly number[] => [
  ...(before ?? []),
  idOf(text),
]
