import type {
  Attribute,
  Dim,
  ElementType,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from './onnx-file.js'

/** A tensor of the graph, row-major. */
export interface Value {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly Dim[]
}

/** Gradients of a node's inputs, given the gradient of its output; undefined for an input without a gradient. */
export type Backward = (gradient: Value) => readonly (Value | undefined)[]

interface TapeEntry {
  readonly inputs: readonly Value[]
  readonly output: Value
  readonly backward: Backward
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly type?: ElementType
  /** If absent, the gradient ends here. */
  readonly backward?: Backward
  /** The values that `backward` returns gradients of, if they are not the node's own inputs. */
  readonly gradientOf?: readonly Value[]
}

/**
 * Builds an ONNX graph node by node, and the graph of its gradients: reverse-mode differentiation over the nodes in the
 * order in which they were added (Griewank and Walther, "Evaluating Derivatives", 2008, ch. 3).
 */
export class GraphBuilder {
  readonly #nodes: OnnxNode[] = []
  readonly #initializers: OnnxTensor[] = []
  readonly #inputs: OnnxValueInfo[] = []
  readonly #outputs: OnnxValueInfo[] = []
  readonly #tape: TapeEntry[] = []
  readonly #constants = new Map<string, Value>()
  #count = 0

  /** A value that is passed in with every run. */
  input(name: string, dims: readonly Dim[], type: ElementType = 'float32'): Value {
    this.#inputs.push({ name, type, dims })
    return { name, type, dims }
  }

  /** Values that are stored in the file. */
  weights(name: string, dims: readonly number[], data: Float32Array): Value {
    this.#initializers.push({ name, dims, data })
    return { name, type: 'float32', dims }
  }

  scalar(value: number): Value {
    return this.#constant(`f${value}`, [], Float32Array.of(value))
  }

  /** A list of whole numbers, for example axes. */
  integers(...values: number[]): Value {
    return this.#constant(`i${values.join()}`, [values.length], BigInt64Array.from(values, BigInt))
  }

  #constant(key: string, dims: readonly number[], data: Float32Array | BigInt64Array): Value {
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const type = data instanceof Float32Array ? 'float32' : 'int64'
    const value: Value = { name: `constant ${key}`, type, dims }
    this.#initializers.push({ name: value.name, dims, data })
    this.#constants.set(key, value)
    return value
  }

  node(opType: string, inputs: readonly Value[], dims: readonly Dim[], options: NodeOptions = {}): Value {
    const { attributes, type = 'float32', backward } = options
    const output: Value = { name: `${opType} ${this.#count++}`, type, dims }
    this.#nodes.push({
      opType,
      inputs: inputs.map(({ name }) => name),
      outputs: [output.name],
      ...(attributes === undefined ? {} : { attributes }),
    })
    if (backward !== undefined) this.#tape.push({ inputs: options.gradientOf ?? inputs, output, backward })
    return output
  }

  /** Makes a value an output of the graph, with its own name. */
  output(name: string, value: Value): void {
    this.#nodes.push({ opType: 'Identity', inputs: [value.name], outputs: [name] })
    this.#outputs.push({ name, type: value.type, dims: value.dims })
  }

  /**
   * The gradient of `loss` (one number) with respect to each value of `by`; undefined if the loss does not depend on
   * the value. Adds its nodes to the graph.
   */
  gradients(loss: Value, by: readonly Value[]): (Value | undefined)[] {
    const needed = new Set(by.map(({ name }) => name))
    for (const { inputs, output } of this.#tape)
      if (inputs.some(({ name }) => needed.has(name))) needed.add(output.name)
    const gradients = new Map<string, Value>([[loss.name, this.scalar(1)]])
    for (const { inputs, output, backward } of [...this.#tape].reverse()) {
      const gradient = gradients.get(output.name)
      if (gradient === undefined || !needed.has(output.name)) continue
      for (const [at, part] of backward(gradient).entries()) {
        const input = inputs[at]
        if (input === undefined || part === undefined || !needed.has(input.name)) continue
        const sum = gradients.get(input.name)
        gradients.set(input.name, sum === undefined ? part : this.node('Add', [sum, part], part.dims))
      }
    }
    return by.map(({ name }) => gradients.get(name))
  }

  build(metadata: Readonly<Record<string, string>> = {}): OnnxGraph {
    return {
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
      metadata,
    }
  }
}
