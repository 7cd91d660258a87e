/** The failures that the specifications name. Tests tell them apart by `name`, as the core does. */
export type ExceptionName =
  | 'InvalidStateError'
  | 'InvalidAccessError'
  | 'InvalidModificationError'
  | 'OperationError'
  | 'NotSupportedError'
  | 'SyntaxError'
  | 'AbortError'
  | 'NetworkError'
  | 'NotAllowedError'
  | 'NotFoundError'
  | 'NotReadableError';

export function exception(name: ExceptionName, message: string): DOMException {
  return new DOMException(message, name);
}
