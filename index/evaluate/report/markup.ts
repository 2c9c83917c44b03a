import { visibleInPage } from '../../../pipeline/common/visible-text.js'

/** Markup that is safe in a page: created by `html`, or rendered by the chart library. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = string | number | Markup | undefined | readonly Content[]

/** Template tag that escapes its values, unless they are markup. Lists are joined, and undefined becomes nothing. */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(literals.map((literal, i) => (i === 0 ? '' : render(values[i - 1])) + literal).join(''))
}

function render(content: Content): string {
  if (content === undefined) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'string') return escapeHtml(content)
  if (typeof content === 'number') return String(content)
  return content.map(render).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Escapes text for element content and quoted attributes. Invisible characters, and those that change the text
 * direction, become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return visibleInPage(text).replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
