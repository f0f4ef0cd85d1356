/** A fault that the user can put right; its message is one line that says how. */
export class UserError extends Error {
  override name = "UserError";
}
