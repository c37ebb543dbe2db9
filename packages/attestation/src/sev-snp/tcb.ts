/** TCB versions: 8 bytes that mean something else on each product line, compared component by component. */
import { amdProducts, type AmdProduct, type TcbComponent } from "./products.ts";

/** The components of a TCB version, in the report's order. */
export function componentsOf(tcb: Uint8Array, line: AmdProduct): readonly (readonly [TcbComponent, number])[] {
  return amdProducts[line].tcb.flatMap(({ component }, at) => (component === null ? [] : [[component, tcb[at] ?? 0]]));
}

/** A TCB version for people. */
export function tcbText(tcb: Uint8Array, line: AmdProduct): string {
  return componentsOf(tcb, line)
    .map(([component, version]) => `${component} ${version}`)
    .join(", ");
}

/** Whether every byte that the product line reserves is zero. */
export function hasLayout(tcb: Uint8Array, line: AmdProduct): boolean {
  return amdProducts[line].tcb.every(({ component }, at) => component !== null || tcb[at] === 0);
}

/** Whether no component of `lower` is above the same of `upper`. */
export function isAtMost(lower: Uint8Array, upper: Uint8Array, line: AmdProduct): boolean {
  const above = new Map(componentsOf(upper, line));
  return componentsOf(lower, line).every(([component, version]) => version <= (above.get(component) ?? -1));
}
