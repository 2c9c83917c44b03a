/** What bytes that are not UTF-8 become on a command line. */
const replacement = '\ufffd'

export const isDamagedText = (text: string) => text.includes(replacement)
export const showDamagedText = (text: string) => text.replaceAll(replacement, '\\ufffd')
