import { z } from 'zod'
import { maxDimension } from '../../pipeline/common/limits.js'
import { byName } from './frozen.js'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** The schema of each kind of message in a topic. */
export function messageKinds(schema: z.ZodType): Record<string, JsonSchema> {
  const whole = jsonSchemaOf(schema)
  const kindOf = ({ properties }: JsonSchema) => {
    const kind = properties?.['kind']
    return typeof kind === 'object' && typeof kind.const === 'string' ? kind.const : 'any'
  }
  return byName(objectsOf(whole.oneOf ?? [whole]).map((each) => [kindOf(each), each]))
}

const objectsOf = (schemas: readonly z.core.JSONSchema._JSONSchema[]) =>
  schemas.flatMap((each) => (typeof each === 'boolean' ? [] : [each]))

/**
 * As JSON Schema. For types that JSON Schema does not know, `x-takes` lists the accepted values. Fields have
 * no order.
 */
function jsonSchemaOf(schema: z.core.$ZodType): JsonSchema {
  const made: JsonSchema = z.toJSONSchema(schema, {
    ...{ io: 'input', unrepresentable: 'any' },
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod
      if (def.type === 'pipe') {
        // Both ends: the outer type limits a list, the inner type describes its elements.
        for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key)
        jsonSchema.allOf = [jsonSchemaOf(def.in), jsonSchemaOf(def.out)]
      }
      if (def.type === 'custom') jsonSchema['x-takes'] = takenValues(zodSchema)
      // A refinement is code and cannot be shown, but its presence can.
      const refinements = def.checks?.filter((check) => check._zod.def.check === 'custom').length ?? 0
      if (refinements > 0) jsonSchema['x-refinements'] = refinements
      // Read-only lists matter only to the compiler.
      if (def.type === 'readonly') delete jsonSchema.readOnly
      jsonSchema.required?.sort()
    },
  })
  delete made.$schema
  return made
}

/** Byte strings around the limits of vectors, and values that are not byte strings. */
const values: readonly (readonly [name: string, value: unknown])[] = [
  ...['text', 1, null, [1]].map((value) => [JSON.stringify(value), value] as const),
  ...[0, 1, 2, 3, 4, 2 * maxDimension, 2 * maxDimension + 2, 4 * maxDimension, 4 * maxDimension + 4].map(
    (length) => [`${length} bytes`, new Uint8Array(length)] as const,
  ),
]

const takenValues = (schema: z.core.$ZodType) =>
  values
    .filter(([, value]) => z.safeParse(schema, value).success)
    .map(([name]) => name)
    .join(', ')
