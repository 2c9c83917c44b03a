import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** What a block may need that no test has. */
const needs = ['docker', 'a gpu', 'a cluster', 'a certificate', 'a server'] as const

/** The mark in the comment above a block. A block without a mark is run. */
export type Mark =
  | { readonly kind: 'needs'; readonly what: (typeof needs)[number] }
  | { readonly kind: 'run'; readonly after: 'kafka' | 'ingest' }
  | { readonly kind: 'tested'; readonly by: string }
  | { readonly kind: 'file'; readonly name: string }

export interface Block {
  /** Line number of its fence, from 1. */
  readonly line: number
  readonly language: string
  readonly mark: Mark | undefined
  readonly lines: readonly string[]
}

export interface Document {
  /** Relative to the repository. */
  readonly file: string
  readonly text: string
  readonly blocks: readonly Block[]
}

/** README.md and the documents, without the generated API pages. */
export function readDocuments(): readonly Document[] {
  const inDocs = readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .sort()
  return [join(repository, 'README.md'), ...inDocs.map((name) => join(repository, 'docs', name))].map(
    (path) => {
      const text = readFileSync(path, 'utf8')
      return { file: relative(repository, path), text, blocks: readBlocks(text) }
    },
  )
}

/** @throws if a comment starts like a mark but is not a valid one, or if a fence is not closed */
export function readBlocks(text: string): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  let comment: string | undefined
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, language] = /^```(\S*)$/.exec(line) ?? []
    if (language === undefined) {
      if (line.trim() !== '') comment = /^<!-- (.*) -->$/.exec(line)?.[1]
      continue
    }
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`line ${at + 1}: the block has no end`)
    blocks.push({ line: at + 1, language, mark: readMark(comment), lines: lines.slice(at + 1, end) })
    comment = undefined
    at = end
  }
  return blocks
}

function readMark(comment: string | undefined): Mark | undefined {
  if (comment === undefined) return undefined
  for (const what of needs) if (comment === `needs ${what}`) return { kind: 'needs', what }
  if (comment === 'run: kafka') return { kind: 'run', after: 'kafka' }
  if (comment === 'run: after ingest') return { kind: 'run', after: 'ingest' }
  const name = /^file: ([\w.-]+)$/.exec(comment)?.[1]
  if (name !== undefined) return { kind: 'file', name }
  const by = /^tested by: (test\/\S+\.test\.ts)$/.exec(comment)?.[1]
  if (by !== undefined) return { kind: 'tested', by }
  if (/^(not|needs|run|tested|file)\b/.test(comment)) throw new Error(`"${comment}" is not a mark of a block`)
  return undefined
}

/** Whether a block holds commands. */
export const isShell = ({ language }: Block): boolean => language === 'sh' || language === 'bash'

/**
 * The commands of a block. Comments and empty lines are left out; lines that end in a backslash are joined.
 */
export function commandsOf({ lines }: Block): readonly string[] {
  return lines
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
}

/** The text without its blocks. */
export const proseOf = (text: string): string => text.replaceAll(/^```[^]*?^```$/gm, '')

/** The text between backticks in the prose. */
export const inlineCodeOf = (text: string): readonly string[] =>
  [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)

/** The targets of links and images in the prose, without code. */
export const linksOf = (text: string): readonly string[] =>
  [
    ...proseOf(text)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, target = '']) => target)

/** The anchors that GitHub creates from headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of proseOf(text).matchAll(/^#+ (.*)$/gm)) {
    const base = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    let anchor = base
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`
    anchors.add(anchor)
  }
  return anchors
}

/** The words of a command, split as a shell does; without quotes. */
export const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
