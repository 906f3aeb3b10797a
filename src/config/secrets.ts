// Which keys are secret, or hold something that is, and what of their values people may see.
import * as z from 'zod';

/** What is shown of a value. */
export type Mask = (written: string) => string;

const hidden = '***';

/** Of a URL. */
export const withoutLogin: Mask = (url) => url.replace(/\/\/.*@/s, `//${hidden}@`);

const masks = z.registry<{ readonly mask: Mask }>();

/** Says so of a key, where the schema has it. */
export function secret<Schema extends z.ZodType>(of: Schema, mask: Mask = () => hidden): Schema {
  masks.add(of, { mask });
  return of;
}

/** Undefined for what is no secret by itself. */
export function maskOf(schema: z.core.$ZodType): Mask | undefined {
  return masks.get(schema)?.mask;
}
