import { visibleInPage } from '../../../pipeline/common/visible-text.js'

/** Markup that is safe to put into a page: made by `html`, or rendered by the chart library. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = string | number | Markup | undefined | readonly Content[]

/** A template whose values are escaped unless they are markup themselves; lists are joined, undefined is nothing. */
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

/** Text for element content and quoted attributes; what would not be seen, or turn the text around it, becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return visibleInPage(text).replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
