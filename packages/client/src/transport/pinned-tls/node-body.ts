import { FormData as UndiciFormData, type Dispatcher } from "undici";
import type { RequestBody } from "../transport.ts";

/** A body in the form that undici takes. Lengths stay known where they are: a form is not sent in chunks. */
export function bodyForUndici(body: RequestBody): NonNullable<Dispatcher.DispatchOptions["body"]> {
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return (body instanceof FormData ? copyForm(body) : body) as NonNullable<Dispatcher.DispatchOptions["body"]>;
}

/** undici knows its own FormData only, which is not the one that Node exposes. */
function copyForm(form: FormData): UndiciFormData {
  const copy = new UndiciFormData();
  for (const [name, value] of form) copy.append(name, value);
  return copy;
}
