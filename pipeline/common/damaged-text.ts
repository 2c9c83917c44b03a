/** What Node makes of bytes on a command line that are not UTF-8. */
const replacement = '\ufffd'

export const isDamagedText = (text: string) => text.includes(replacement)
export const showDamagedText = (text: string) => text.replaceAll(replacement, '\\ufffd')
