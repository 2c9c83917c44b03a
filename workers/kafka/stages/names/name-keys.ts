import { z } from 'zod'

/** Key of the message about the faces of a name from one source. */
export const nameKey = (name: string, source: string) => `name/${JSON.stringify([name, source])}`

/** Key of the message about a forgotten clip. */
export const clipKey = (clipId: string) => `clip/${clipId}`

/** Key of the message about corrections of a name in a clip. */
export const correctionKey = (name: string, clipId: string) => `correction/${JSON.stringify([name, clipId])}`

/** Key of the message about the aliases and the note of a name. */
export const aboutKey = (name: string) => `about/${JSON.stringify([name])}`

/** The subject of a key. */
export type KeySubject =
  | { readonly kind: 'faces'; readonly name: string; readonly source: string }
  | { readonly kind: 'corrections'; readonly name: string; readonly clipId: string }
  | { readonly kind: 'about'; readonly name: string }
  | { readonly kind: 'other' }

/** Throws if the key begins as one of these and does not fit. */
export function readKey(key: string): KeySubject {
  const [prefix = ''] = key.split('/', 1)
  const rest = () => JSON.parse(key.slice(prefix.length + 1)) as unknown
  if (prefix === 'name') {
    const [name, source] = pair.parse(rest())
    return { kind: 'faces', name, source }
  }
  if (prefix === 'correction') {
    const [name, clipId] = pair.parse(rest())
    return { kind: 'corrections', name, clipId }
  }
  if (prefix === 'about') return { kind: 'about', name: z.tuple([z.string()]).parse(rest())[0] }
  return { kind: 'other' }
}

const pair = z.tuple([z.string(), z.string()])
