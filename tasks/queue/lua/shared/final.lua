-- final.lua: the states in which a job has ended.

local function is_final(state)
  return state == "succeeded" or state == "failed" or state == "cancelled"
end
