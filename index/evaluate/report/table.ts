import { html, type Content, type Markup } from './markup.js'

export interface Column<Row> {
  readonly name: Content
  /** Right-aligned digits of equal width. */
  readonly number?: boolean
  /** Sentences, which need more space. */
  readonly prose?: boolean
  /** The column names the row. */
  readonly header?: boolean
  readonly cell: (row: Row, index: number) => Content
}

/** A table that scrolls separately if the page is too narrow, also with the keyboard. */
export function table<Row>(
  caption: Content,
  label: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Markup {
  const classOf = ({ number, prose }: Column<Row>) =>
    number === true ? html` class="number"` : prose === true ? html` class="prose"` : undefined
  return html`<div class="scroll card" role="region" aria-label="${label}" tabindex="0">
    <table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" ${classOf(column)}>${column.name}</th> `)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, index) =>
            html`<tr>
              ${columns.map((column) =>
                column.header === true
                  ? html`<th scope="row" ${classOf(column)}>${column.cell(row, index)}</th> `
                  : html`<td${classOf(column)}>${column.cell(row, index)}</td> `,
              )}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}
