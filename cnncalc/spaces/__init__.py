"""Design spaces: many settings of one spec at once, every figure of each exactly as `analyse` has it."""
